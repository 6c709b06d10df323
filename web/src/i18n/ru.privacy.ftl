# Сколько линии хранят данные

retention = Срок хранения
retention-hint = Более старое удаляется само и навсегда. Пусто — хранить всегда.
retention-ever = всегда
retention-days = дней
retention-attachments = Файлы
retention-attachments-hint = Файлы и оригиналы писем, после закрытия диалога
retention-recordings = Записи
retention-recordings-hint = Записи звонков, после звонка
retention-conversations = Диалоги
retention-conversations-hint = Диалоги со всеми сообщениями, после закрытия
retention-contacts = Контакты
retention-contacts-hint = Контакты, пришедшие через эту линию, стираются, если столько времени с ними ничего не происходило ни на одной линии. У кого есть открытый диалог, сделка или задача, тот остаётся.
retention-count = Что удалилось бы сейчас?
retention-would = Если сохранить сейчас, удалятся: файлы — { $attachments }, записи — { $recordings }, диалоги — { $conversations }, контакты — { $contacts }.

# Журнал доступа
audit-sub = Кто что смотрел, менял и выгружал. Открытие карточки записывается раз в час; записи хранятся два года.
audit-when = Когда
audit-who = Кто
audit-what = Что
audit-which = Что именно
audit-operation = Операция
audit-everybody = Все
audit-everything = Всё
audit-object = Идентификатор объекта
audit-empty = Ничего не найдено
audit-gone = Уже не работает
audit-seen = Просмотр
audit-changed = Изменение
audit-exported = Выгрузка
audit-erased = Стирание
audit-signed_in = Вход
