# Контакты, компании, свои поля, ленты
company-one = Компания
companies-find = Найти по названию, сайту, номеру или адресу
companies-empty = Компаний пока нет
companies-empty-text = Компании, которые называют в формах, появляются сами; остальные добавьте здесь.
company-new = Новая компания
company-edit = Изменить компанию
company-delete = Удалить компанию
company-delete-sure = Удалить { $name }? Её контакты останутся без компании.
company-pick = Название компании
company-make = «{ $name }» — новая: она будет добавлена.
company-contacts = Контакты
company-contacts-none = Здесь никто не работает
company-count = { $count ->
    [one] { $count } контакт
    [few] { $count } контакта
   *[other] { $count } контактов
}
website = Сайт
tax-number = ИНН
contact-new = Новый контакт
contact-page-empty = Выберите контакт
people-owner = Ответственный
owner-anybody = Ответственный: любой
owner-me = Я
tag-any = Любая метка
people-tags = Метки
only-duplicates = Возможные дубли
people-filtered-none-text = Уберите часть условий.
contact-merge-with = Объединить с другим контактом…
contact-more = Ещё об этом контакте
contact-leads = Лиды
duplicate-of = Возможно, это тот же человек:
duplicate-merge = Объединить…
duplicate-not = Это разные люди
duplicate-not-done = Больше предлагать не будем.
merged-notice = Этот контакт — часть другого:
merged-undo = Отменить объединение
merge-title = Объединить два контакта
merge-contact-find = Найти второй контакт
merge-contact-hint = Кто это на самом деле? Найдите по имени, почте или телефону.
merge-survivor = Остаётся
merge-other = Станет его частью
merge-result = После объединения
merge-swap = Поменять местами
merge-go = Объединить
merge-what = Разговоры, звонки, формы, лиды и адреса перейдут к «{ $name }». Чего у «{ $name }» нет, будет дополнено.
merge-leads = У обоих есть открытый лид: останется лид «{ $name }» и вберёт в себя второй.
merge-undo-hint = Это можно отменить в любое время. Всё, что придёт за это время, останется у «{ $name }».
merge-done = Контакты объединены
merge-undone = Объединение отменено
via-hand = Ввёл оператор
via-email = Написал с этой почты
via-email-claimed = Из письма, отправитель которого не подтверждён
via-telegram = Из Telegram
via-telegram-claimed = Введено в Telegram
via-webchat = Вошёл на сайте
via-webchat-claimed = Введено в чате
via-webform = Из формы
via-webform-claimed = Введено в форме
via-voip = Номер определила телефонная сеть
via-voip-claimed = Набранный номер
via-custom = Из канала, который его принёс
via-custom-claimed = Со слов, в канале, который его принёс
identity-take = Убрать { $item } из этого контакта
identity-take-sure = Убрать? Кто напишет с этого адреса, будет новым контактом.
own-fields-title = Поля
own-fields-none = Полей пока нет
own-fields-edit = Изменить поля
own-fields-sub = Что ваша компания записывает о контактах, компаниях, лидах и сделках.
own-fields-empty = Здесь полей пока нет
own-fields-empty-text = Добавьте то, что спрашиваете у всех: день рождения, сегмент, номер договора.
own-field-new = Новое поле
own-field-edit = Изменить поле
own-field-delete = Удалить поле
own-field-delete-sure = Удалить «{ $name }»? Записанные значения останутся под ключом { $item }.
own-field-label = Название
own-field-key = Ключ
own-field-key-hint = Для импорта и программ: a–z, 0–9 и _. Потом не меняется.
own-field-type = Тип
own-field-type-hint = Потом не меняется.
own-field-required = Обязательно
own-field-options = Варианты, по одному в строке
own-field-options-hint = Строка может быть вида «значение = название».
own-field-object = Для чего
own-field-object-contact = Контакты
own-field-object-company = Компании
own-field-object-lead = Лиды
own-field-object-deal = Сделки
own-field-type-text = Строка
own-field-type-long_text = Текст
own-field-type-number = Число
own-field-type-money = Деньги
own-field-type-date = Дата
own-field-type-date_time = Дата и время
own-field-type-checkbox = Да или нет
own-field-type-select = Один из списка
own-field-type-multi_select = Несколько из списка
own-field-type-url = Ссылка
own-field-type-user = Оператор
own-field-amount = Сумма
own-field-currency = Валюта
own-field-yes = Да
own-field-no = Нет
own-field-choose = Выберите…
timeline = Лента
timeline-none = Пока ничего не было
timeline-none-text = Здесь появятся сообщения, звонки, формы и изменения этого контакта.
timeline-filtered-none = Такого не было
timeline-all = Всё
timeline-message = Сообщения
timeline-call = Звонки
timeline-form = Формы
timeline-note = Заметки
timeline-change = Изменения
timeline-lead = Лиды
timeline-merge = Объединения
timeline-system = Система
timeline-replied = { $name } — ответ
timeline-wrote = { $name }
timeline-noted = { $name } — заметка
timeline-form-sent = Заполнена форма
timeline-form-more = { $count ->
    [one] и ещё { $count }
    [few] и ещё { $count }
   *[other] и ещё { $count }
}
timeline-lead-made = Новый лид
timeline-came-from = источник:
timeline-merged = { $name } — теперь часть этого контакта
timeline-merged-away = Стал частью контакта { $name }
timeline-merge-undone = отменено
timeline-changed-by = изменил(а) { $name }
timeline-changed = изменено
timeline-empty-value = пусто
change-name = Имя
change-language = Язык
change-company_id = Компания
change-operator_id = Ответственный
change-emails = Адреса почты
change-phones = Телефоны
change-tags = Метки
change-identity = Адрес
change-title = Название
change-status = Статус
change-source = Источник

# Стирание человека
contact-erase = Стереть…
erase-title = Стереть человека
erase-what = Всё, что относится к { $name }, удаляется навсегда:
erase-count-conversations = Диалоги
erase-count-messages = Сообщения
erase-count-files = Файлы
erase-count-calls = Звонки вместе с записями
erase-count-submissions = Заполненные формы
erase-count-leads = Лиды
erase-count-tasks = Задачи
erase-count-deals_kept = Сделки: остаются в отчётах без человека
erase-merged = { $count ->
    [one] Объединённый с ним { $count } контакт тоже стирается.
    [few] Объединённые с ним { $count } контакта тоже стираются.
   *[other] Объединённые с ним { $count } контактов тоже стираются.
  }
erase-elsewhere = Адреса почты и телефоны человека вырезаются и из того, что писали другие, из журнала, из загруженных таблиц и из всего, что ждёт отправки.
erase-no-undo = Отменить это нельзя.
erase-word = стереть
erase-type = Чтобы продолжить, введите «{ $word }»
erase-go = Стереть
erase-gone = { $name }: ни в одном ответе этого человека больше нет. Остальное займёт меньше минуты.
erase-done = { $name }: не осталось ничего.
erase-goes-on = Окно можно закрыть: работа продолжится сама, и после перезапуска тоже.
erase-state-rows = Удалить всё, что относится к человеку
erase-state-mentions = Вырезать адреса из чужого
erase-state-files = Удалить файлы
erase-state-disk = Освободить место в базе данных

# Все данные человека одним файлом
contact-export = Выгрузить данные…
person-export-title = Выгрузка данных человека
person-export-what = Всё, что известно о контакте { $name }, одним архивом: кто это, переписка, файлы, звонки с записями, формы, лиды, сделки и задачи.
person-export-none = Архивов пока нет
person-export-go = Собрать архив
person-export-get = Скачать
person-export-waiting = Собирается…
person-export-failed = Не удалось
person-export-size = { $size } МБ
person-export-kept = Архив хранится 7 дней. В нём есть и внутренние заметки: прочтите его, прежде чем отдавать.

# На что люди согласились
consents = Согласия
consent-note = Записать…
consent-note-title = Записать согласие
consent-agreed = Согласие дано
consent-withdrawn = Согласие отозвано
consent-words = С каким текстом и как это было сказано
consent-stays = Записанное остаётся: если человек передумал, это записывается заново.
consents-none = Согласий пока нет
consent-from-form = в форме
consent-from-chat = в чате
consent-from-mail = по почте
consent-from-operator = записано вручную
