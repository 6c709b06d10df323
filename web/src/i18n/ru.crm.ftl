crm-sub = Лиды уходят в вашу CRM вместе с перепиской; то, что происходит с ними там, возвращается сюда.
crm-new = Подключить CRM
crm-pick = Какая CRM?
crm-empty = CRM не подключена
crm-empty-text = Подключите CRM, в которой работает компания: каждый лид попадёт туда сам и один раз, что бы ни сломалось по дороге.
crm-no-adapters = В этой сборке нет адаптеров к CRM.
crm-missing = В этой сборке нет такого адаптера
crm-missing-text = Всё, что ждёт, сохранено. Возьмите сборку, где он есть, или удалите подключение.
crm-two-way-able = сообщает, что стало с лидами
crm-state-running = Работает
crm-state-paused = На паузе
crm-state-stopped = Остановлено
crm-state-failing = Не отвечает
crm-waiting = { $count ->
    [one] ждёт { $count } шаг
    [few] ждут { $count } шага
   *[other] ждут { $count } шагов
  }
crm-dead = { $count ->
    [one] { $count } требует внимания
    [few] { $count } требуют внимания
   *[other] { $count } требуют внимания
  }
crm-blocked = Следующая попытка { $time }
crm-last-success = Последний успех { $time }
crm-stopped = Остановлено { $time }
crm-stopped-text = Ничего не потеряно: всё происходящее ждёт. Войдите заново или исправьте настройки ниже, и работа продолжится сама.
crm-stopped-notice = CRM отказывает подключению «{ $name }»: оно остановлено.
crm-preparing = Ещё не работает. Проверьте поля и состояния ниже и нажмите «Запустить». Происходящее тем временем ждёт и не теряется.
crm-start = Запустить
crm-pause = Пауза
crm-access = Доступ
crm-what = Что уходит туда
crm-lines = Линии
crm-lines-hint = Лиды выбранных линий; если ничего не выбрано, то всех линий и те, что без линии.
crm-notes = Заметки к лиду
crm-note-transcripts = Переписка, когда разговор закрыт
crm-note-calls = Звонки с записями
crm-note-remarks = Заметки коллег друг для друга
crm-language = Язык заметок
crm-two-way = Статусы возвращаются
crm-two-way-hint = Состояние, в которое лид переводят там, меняет его статус здесь примерно за минуту.
crm-fields = Поля
crm-fields-hint = Имя, телефоны, почта, компания, источник и ответственный уходят сами. Здесь заполняются остальные поля CRM.
crm-reread = Прочитать заново
crm-required = CRM требует и эти поля: { $names }
crm-no-rules = Другие поля не заполняются.
crm-add-field = Добавить поле
crm-their-field = Поле CRM
crm-our-field = Чем заполняется
crm-fixed = Постоянное значение
crm-values = Значения: наше = их
crm-values-hint = По паре в строке. Их значения: { $names }
crm-otherwise = Иначе
crm-left-empty = остаётся пустым
crm-group-lead = Лид
crm-group-contact = Контакт
crm-group-company = Компания
crm-group-line = Линия
crm-group-channel = Канал
crm-group-owner = Ответственный
crm-group-own = Свои поля
crm-group-attribution = Откуда пришёл (последнее касание)
crm-group-first = Откуда пришёл (первое касание)
crm-from-lead-title = Название
crm-from-lead-status = Статус
crm-from-lead-source = Источник
crm-from-lead-created-at = Когда создан
crm-from-lead-loss-reason = Почему отбракован
crm-from-lead-id = Идентификатор
crm-from-lead-url = Ссылка на него здесь
crm-from-contact-name = Имя контакта
crm-from-contact-phone = Телефон
crm-from-contact-email = Почта
crm-from-contact-language = Язык
crm-from-company-name = Название компании
crm-from-company-website = Сайт
crm-from-company-tax-number = ИНН
crm-from-line-name = Название линии
crm-from-channel-name = Название канала
crm-from-channel-kind = Вид канала
crm-from-owner-name = Имя
crm-from-owner-email = Почта
crm-from-owner-id = Идентификатор
crm-statuses = Состояния
crm-statuses-hint = Каким состоянием там становится каждый статус здесь.
crm-no-statuses = У лидов этой CRM нет состояний.
crm-status-stays = там остаётся как есть
crm-statuses-back = И обратно
crm-statuses-back-hint = Каким статусом здесь становится каждое состояние там. Если не выбрано, решает его смысл.
crm-status-stays-here = здесь остаётся как есть
crm-stage-open = по смыслу: открыт
crm-stage-won = по смыслу: сконвертирован
crm-stage-lost = по смыслу: отбракован
crm-backfill = Прежние лиды
crm-backfill-hint = Лиды с { $time } уходят сами. Прежние уходят по вашей просьбе; те, что там уже есть, находятся и не создаются дважды.
crm-backfill-from = Созданные с
crm-backfill-start = Отправить
crm-backfill-stop = Остановить
crm-backfill-begun = Прежние лиды отправляются
crm-backfill-progress = Просмотрено { $done } из { $total } прежних лидов
crm-queue = Что не получилось
crm-queue-empty = Неудач нет
crm-queue-empty-text = Здесь стоит то, что CRM не приняла, с причиной.
crm-queue-none = В этом состоянии ничего нет
crm-refresh = Обновить
crm-retry = Повторить
crm-retry-all = Повторить все неудачи
crm-discard = Отказаться
crm-discard-all = Отказаться от всех неудач
crm-retried = { $count ->
    [one] { $count } шаг повторяется
    [few] { $count } шага повторяются
   *[other] { $count } шагов повторяются
  }
crm-discarded = { $count ->
    [one] Отказ от { $count } шага
    [few] Отказ от { $count } шагов
   *[other] Отказ от { $count } шагов
  }
crm-act = Повторить или отказаться
crm-next = снова { $time }
crm-job-troubled = С затруднениями
crm-job-dead = Требует внимания
crm-job-queued = Ждёт
crm-job-sending = В пути
crm-job-done = Готово
crm-job-skipped = Нечего делать
crm-kind-lead = Сам лид
crm-kind-conversation = Переписка
crm-kind-call = Звонок
crm-kind-remark = Заметка коллеги
crm-reason-temporary = CRM не отвечает
crm-reason-limited = CRM просит подождать
crm-reason-unknown = Возможно, сделано: сначала поиск
crm-reason-crashed = Прервано: сначала поиск
crm-delete = Удалить подключение?
crm-delete-text = «{ $name }» забудет, какой лид какой записи соответствует, а ожидающее будет отброшено. То, что в CRM, останется там.
crm-open-in = Открыть в { $name }
crm-link-waiting = в пути
crm-link-failed = не удалось отправить
crm-link-gone = удалён там
crm-owners = Люди
crm-owners-hint = Кто в CRM отвечает за лиды каждого из наших. Кого не выбрали, того ищут там по адресу почты.
crm-owners-typed = Эта CRM не даёт списка своих людей: напишите их номера или оставьте поиск по адресу почты.
crm-owner-by-mail = По адресу почты
crm-owner-found = { $name } (тот же адрес)
crm-owner-none = Никого с этим адресом
crm-owner-gone = Там больше нет: { $name }
crm-owner-id = Номер в CRM
crm-owners-nobody = Операторов пока нет.
