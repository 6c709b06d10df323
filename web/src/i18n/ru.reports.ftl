## Отчёты

report-from = С
report-to = По, включительно
report-csv = Скачать CSV
report-everybody = Все

# ---- Where leads come from ----

sources-sub = Сколько лидов пришло и что их привело.
sources-touch = Какой визит считать
sources-by = Считать по
by-source = Источник
by-medium = Канал рекламы
by-campaign = Кампания
by-channel = Канал
sources-leads = Лиды
sources-converted = Успешные
sources-junk = Брак
sources-none = За это время лидов нет
sources-none-text = Выберите период подлиннее.
sources-unknown = неизвестно
sources-days = Лиды по дням
sources-day = { $day }: { $count ->
    [one] { $count } лид
    [few] { $count } лида
   *[other] { $count } лидов
  }
sources-total = { $count ->
    [one] { $count } лид
    [few] { $count } лида
   *[other] { $count } лидов
  }
sources-left-out = Ещё { $count } лидов в меньших строках

# ---- How far deals come ----

funnel-sub = Как далеко доходят сделки, созданные за период
funnel-filters = Какие сделки
funnel-none = За этот период сделок не создано
funnel-none-text = Выберите период подлиннее или другую воронку.
funnel-deals = Сделки
funnel-won = Выиграно
funnel-lost = Проиграно
funnel-won-after = Медиана времени до выигрыша
funnel-way = С этапа на этап
funnel-bar = { $name }: сделок { $count }, { $share } от всех
funnel-reached = Дошло
funnel-of-all = От всех
funnel-of-previous = От прошлого этапа
funnel-now = Сейчас здесь
funnel-lost-here = Проиграно отсюда
funnel-median = Медиана на этапе
funnel-mean = Среднее на этапе

# ---- How soon customers are answered ----

responses-sub = Как быстро отвечают клиентам. Время — по часам, вместе с ночами.
responses-filters = Какие сессии
responses-by = Строки
responses-by-operator = Операторы
responses-by-line = Линии
responses-by-channel = Виды каналов
responses-none = За это время сессии не начинались
responses-none-text = Выберите период подлиннее.
responses-sessions = Сессии
responses-answered = С ответом
responses-unanswered = Закрыты без ответа
responses-first = Первый ответ, медиана
responses-p90 = Первый ответ, 9 из 10 быстрее
responses-close = До закрытия, медиана
responses-rating = Оценка
responses-days = Медиана первого ответа по дням
responses-day = { $day }: { $time }, сессий: { $count }
responses-day-none = { $day }: ответов нет, сессий: { $count }
responses-nobody = никто не взял
by-line = Линия
by-number = Набранный номер
